"""What the memory forecast says beside what is taken: the starter, and SD 1.5's geometry.

Random weights: what is measured does not depend on them. `__main__` starts one worker a model and
rung; `geometry` writes a model of that geometry.
"""
