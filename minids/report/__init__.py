"""What a run leaves to be read: a page with curves (`minids report`), replays, the tables of README and docs.

run_report      the page           data      what it is made of      page, plots   its parts
readme_tables   the tables of README.md and docs/results.md
replayed        an answer drawn again, in the terminal
"""
