#!/bin/sh
# Makes a certificate for the server, and the first time the community's own authority that signs it.
#   make-certificates NAME-OR-ADDRESS [NAME-OR-ADDRESS …]
# In /etc/qiaomen/tls: ca.pem (goes into the installers), server.pem and server.key (for nginx or caddy), ca.key (keep
# it away from the server; it is needed again only to renew). Run again to renew: the authority stays as it is.
set -eu
[ $# -gt 0 ] || { echo "usage: make-certificates NAME-OR-ADDRESS [NAME-OR-ADDRESS ...]" >&2; exit 2; }
folder="${QIAOMEN_TLS:-/etc/qiaomen/tls}"
umask 077
mkdir -p "$folder"
cd "$folder"
if [ ! -e ca.pem ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 7300 \
        -subj "/CN=Qiaomen $1" -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
fi
[ -e ca.key ] || { echo "ca.key is not here: bring it back to renew the certificate." >&2; exit 1; }
names=""
for name in "$@"; do
    case "$name" in
        *:* | [0-9]*.[0-9]*.[0-9]*.[0-9]*) names="$names,IP:$name" ;;
        *) names="$names,DNS:$name" ;;
    esac
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" "extendedKeyUsage=serverAuth" \
    "subjectKeyIdentifier=hash" "authorityKeyIdentifier=keyid" "subjectAltName=${names#,}" >"$work/extensions"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/server.key" -out "$work/request" \
    -subj "/CN=$1" 2>/dev/null
openssl x509 -req -in "$work/request" -CA ca.pem -CAkey ca.key -CAcreateserial -CAserial "$work/serial" -days 1095 \
    -sha256 -extfile "$work/extensions" -out "$work/server.pem" 2>/dev/null
mv "$work/server.key" "$work/server.pem" .
chmod 644 ca.pem server.pem
chmod 600 server.key ca.key
openssl x509 -in server.pem -noout -enddate | sed 's/^notAfter=/The certificate is good until /'
