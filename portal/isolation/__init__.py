"""Reading what is untrusted in a process of its own, with limits, which can be killed without harm."""
