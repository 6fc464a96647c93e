"""TLS for localhost: one self-signed certificate with its key, in `localhost.pem`, good for a hundred years.

It was made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500` and extensions
for a certificate authority (it is its own), for servers and clients, and for the names localhost and 127.0.0.1.
"""

import pathlib
import ssl

PEM = str(pathlib.Path(__file__).with_name("localhost.pem"))


def server_context():
    """Return the context of a server that shows the certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(PEM)
    return context


def client_context():
    """Return the context of a client that trusts the certificate and nothing else."""
    return ssl.create_default_context(cafile=PEM)
