"""How often a model is right, with intervals: `minids eval`.

evaluate       answers, and accuracy by family, size and number of samples
statistics     bootstrap intervals, pass@k, maj@k, paired tests
model_folder   opens a run's or a model's folder
eval_command   the command line's part
"""
