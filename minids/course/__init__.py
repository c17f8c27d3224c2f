"""The course: exercises are functions of the library, taken out and put back by the student.

    catalog    which exercises there are (from chapters/src) and what a blank one looks like
    cases/     what must hold of each function          wrong/   planted mistakes, and other right ways to write it
    judge      runs cases on an answer and names the mistake
    mine       the student's own versions: kept as text, put into the library
    notebook   check, start, show, play: what chapters call
    build      chapters/src/*.py -> notebooks            grade    submissions -> points and feedback
    strength   how good the checks are                   progress the student's ledger

Nothing in the library imports this package.
"""

from minids.course.notebook import check, play, show, start

__all__ = ["check", "play", "show", "start"]
