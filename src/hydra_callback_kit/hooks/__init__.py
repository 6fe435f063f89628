"""What a callback is made of, ours or a user's: the base class, the recorder, the guard, the end of a run, parameters."""
