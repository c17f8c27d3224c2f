"""Two runs beside each other: a page, the settings that differ, and a paired test of their final models."""

from minids.report import compared, run_report

folders = ["runs/tiny", "runs/other"]
print("curves over each other:", run_report.compare(folders, "compare.html"))
one, other = compared.read(folders)
for setting, values in compared.differing([one, other]):
    print(setting, [value for value, where_from in values])
for family in ["all", *one.run.families]:
    print(family, compared.difference(one.row(one.final, family), other.row(other.final, family)))
