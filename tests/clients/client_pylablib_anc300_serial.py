"""pylablib's ANC300 by its serial route, without login. Arguments: host, port. Prints JSON."""

import sys

from client_pylablib_anc300 import main

if __name__ == "__main__":
    main(("serial", f"socket://{sys.argv[1]}:{sys.argv[2]}"))
