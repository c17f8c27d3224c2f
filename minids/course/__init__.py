"""The course: exercises are functions of the library, taken out and put back by the student.

    exercises  ids, and the function behind each        catalog  those in chapters/src, and what a blank one looks like
    cases/     what must hold of each function          wrong/   planted mistakes, and other right ways to write it
    judge      runs cases on an answer and names the mistake; touched: which memory a kernel may touch, and does
    mine       the student's own versions: kept as text, put into the library
    notebook   check, start, show, play, budget: what chapters call
    build      chapters/src/*.py -> notebooks            nbgrader  the same as an nbgrader course
    strength   how good the checks are                   progress  the student's ledger
    tour       the small trained models of chapters/data
    grade      points and feedback for submissions:  submissions (finding answers), apart (judging in processes that
               may die), table (rows as they come), feedback (pages), sandbox (calling a stranger's function),
               nursery (where it runs), fences (what it may do), wire and arguments (what crosses)

Nothing in the library imports this package.
"""

from minids.course.notebook import budget, check, play, show, start

__all__ = ["budget", "check", "play", "show", "start"]
