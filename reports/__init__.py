"""Renderers: a run record in, text out. Nothing here simulates, and of the kit only the command line uses it."""
