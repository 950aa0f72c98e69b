"""A bot that is killed again and again while people use it: the harness of `usher bench crash` and of tests/crash.

The platforms are emulated in this process, the bot runs in another, put together as in production; people wait for
nothing but what they can see, and click again when no answer comes.
"""
