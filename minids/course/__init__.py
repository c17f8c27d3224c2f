"""The course: exercises are functions of the library, taken out and put back by the student.

    exercises  ids, and the function behind each        catalog  those in chapters/src, and what a blank one looks like
    cases/     what must hold of each function          wrong/   planted mistakes, and other right ways to write it
    judge      runs cases on an answer and names the mistake; memory_guard: which memory a kernel may touch, and does
    answers    the student's own versions: kept as text in mine/, put into the library
    notebook   check, start, show, play, budget: what chapters call
    build      chapters/src/*.py -> notebooks            nbgrader  the same as an nbgrader course
    progress   the student's ledger                     check_quality  how good the checks are
    tiny_models  the small trained models of chapters/data
    grading/   points and feedback for submissions: grade; folders, cells, submissions (finding answers), apart (judging
               in processes that may die), table (rows as they come), feedback (pages), sandbox (calling a stranger's
               function), worker (where it runs), isolation (what it may do), protocol (what crosses)

Nothing in the library imports this package.
"""

from minids.course.notebook import budget, check, play, show, start

__all__ = ["budget", "check", "play", "show", "start"]
