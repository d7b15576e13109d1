#!/bin/sh
# mysql.sh FOLDER: unpack a MySQL server into a folder, without installing it.
#
# Debian 12 has none; the suite sid has one, which runs here with the loader and libraries that it
# was built for. apt keeps its lists and packages in the folder, so the system stays as it is.
set -eu
folder=$1
[ "$(uname -m)" = x86_64 ] || { echo "MySQL is unpacked on x86_64 only" >&2; exit 1; }
[ ! -e "$folder/server/usr/sbin/mysqld" ] || exit 0
mirror=$(grep -rhoE '^URIs: +[^ ]+/debian/?$' /etc/apt/sources.list.d 2>/dev/null | head -n 1 | sed 's/^URIs: *//')
[ -n "$mirror" ] || mirror=$(grep -hoE '^deb [^#]*https?://[^ ]+/debian/? ' /etc/apt/sources.list 2>/dev/null |
	grep -oE 'https?://[^ ]+' | head -n 1)
key=$(ls /usr/share/keyrings/debian-archive-keyring.[gp]* 2>/dev/null | head -n 1)
[ -n "$mirror" ] && [ -n "$key" ] || { echo "no Debian package source" >&2; exit 1; }
rm -rf "$folder"
mkdir -p "$folder/state/lists/partial" "$folder/cache/archives/partial"
folder=$(cd "$folder" && pwd)
touch "$folder/status"
echo "deb [signed-by=$key] $mirror sid main" >"$folder/sources.list"
apt() {
	apt-get -qq -o "Dir::State=$folder/state" -o "Dir::State::status=$folder/status" \
		-o "Dir::Cache=$folder/cache" -o "Dir::Etc::sourcelist=$folder/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root "$@"
}
apt update
apt --yes --no-install-recommends --download-only install mysql-server-core
mkdir "$folder/unpacked"
for package in "$folder"/cache/archives/*.deb; do dpkg -x "$package" "$folder/unpacked"; done
rm -rf "$folder/cache" "$folder/state"
cd "$folder/unpacked"
libraries=$PWD/usr/lib/x86_64-linux-gnu
"$libraries/ld-linux-x86-64.so.2" --library-path "$libraries:$PWD/lib/x86_64-linux-gnu:$PWD/usr/lib/mysql/private" \
	usr/sbin/mysqld --no-defaults --version || { echo "this MySQL does not start here" >&2; exit 1; }
mv "$folder/unpacked" "$folder/server"
