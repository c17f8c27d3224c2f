"""Problems with answers that a rule can check, thoughts that lead to them, and what is paid for a reply.

registry      environments by name: `registry.get("add")`   environment   what each of them can do
arithmetic    sums, chains, stories (`stories`)              countdown     numbers and a target
gym_sets      data sets of reasoning-gym                     user_file     problems of yours
reward        what a reply earns                             documents     problems with thoughts, as training text
trainers      the same problems and rewards in TRL and verl
"""
