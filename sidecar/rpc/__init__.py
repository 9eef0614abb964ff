"""The wire: stdio, framing, dispatch and the handlers of every method."""
