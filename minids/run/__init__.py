"""A run: a recipe, its stages, and the folder that they leave: `minids run`.

recipes   every setting of a run in one TOML file    sections   the keys beside those of the classes that train
stages    the table of stages; stages_main, stages_r1, stages_edge and controls hold their functions
job       the folder, processes and results of a run that goes on
cost      what a run takes, and what DeepSeek-V3 took: `minids cost`
"""
