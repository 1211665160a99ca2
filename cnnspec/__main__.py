from cnnspec.cli import main

main(prog_name="cnnspec")
