"""The record: facts go in, checked and booked, and what may be done with one: keys, people, corrections."""
