"""A trained model that travels: out of the results folder of one machine, into that of another."""
