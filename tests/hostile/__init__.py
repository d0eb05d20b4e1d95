"""What `make hostile` is made of: cells, in which strangers' code is graded and nothing of it gets
out.
"""
