//! What an account and a session are. Pure functions.
