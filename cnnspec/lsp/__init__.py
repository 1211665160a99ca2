"""The language server: what an editor asks of a spec.

`names` tells what every name in a text means, `context` where in a text that may be half written the cursor stands;
neither knows of the protocol. Every other module answers one kind of question with them, and `server` listens.
"""
