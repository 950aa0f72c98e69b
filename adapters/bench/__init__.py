"""`usher bench`: what the bot costs beside what it stands on, measured in one run on one machine.

Each measurement is a file with an async generator `measured(size)`; to add one, write the file and its name here.
"""

MEASUREMENTS = ("inbound", "outbound", "limit", "reminders", "start", "scale", "crash", "soak")
