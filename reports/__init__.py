"""Renderers: a run record in, text out. Nothing here simulates, and nothing here is imported by the kit but the command line."""
