"""Grading of many students' notebooks, without running them: `minids grade`.

grade          one call for all of it
submissions    who sent what; folders: which files; cells: what they hold
sandbox        answers in processes of their own; isolation: the fences around them; protocol: what passes through
feedback       pages and lines for students and instructors; table: the CSV, row by row
"""
