"""The wire between a client face and a device: delay, loss, the fault plan and the log of requests. No device lives here."""
