import sys

from napari_seedbed.pipeline.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
