"""x"""

from servo.cli.groups import CLI

cli = CLI()
