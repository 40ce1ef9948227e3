"""The simulated set-up: one world, and simulators of the instruments in it."""
