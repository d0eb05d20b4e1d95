"""Why a process tree hangs, in words: stacks, samples, the sentence."""
