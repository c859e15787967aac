# The same commands for those who have make; `course.py` is what does the work, on Windows too.
PYTHON ?= python3
COMMANDS := lab doctor test check notebooks nbval-twice nbval-other-cpu setup clean

.PHONY: help $(COMMANDS)

help:
	@$(PYTHON) course.py help

$(COMMANDS):
	@$(PYTHON) course.py $@ $(ARGS)
