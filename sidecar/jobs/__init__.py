"""What is waiting, running, superseded or cancelled, and how far it is."""
