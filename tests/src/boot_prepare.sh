# Run once inside the booted root: users, keys, agreement and configurations as docs/operations.md has it,
# all three parties on one host.
set -euo pipefail
systemd-sysusers
systemd-tmpfiles --create sluis.conf
for user in officer an bart stranger; do useradd -m "$user"; done
usermod -aG sluis-operators officer
usermod -aG sluis-custodians an
usermod -aG sluis-custodians bart
mkdir -p /srv/cards
init() { sluis init "$1" --dir "/etc/sluis/$1" --id "$2" --name "$2" --lang en --listen 127.0.0.2:8443 >/dev/null; }
init agency agentschap-ii
init municipality stad-mechelen
init dropzone sluiskom
releaser=$(grep '^releaser = ' /etc/sluis/agency/sluis.toml)
for host in agency municipality dropzone; do
  sluis --config "/etc/sluis/$host/sluis.toml" identity >"/srv/cards/$host"
  sed -e "s/^releaser = .*/$releaser/" -e 's/^owners = .*/owners = ["officer"]\nsettle-ms = 200\nresend-after-s = 1/' \
    "/usr/share/sluis/units/$host.toml" >"/etc/sluis/$host/sluis.toml"
done
for channel in sms-a sms-b voice; do
  printf '[releaser.channels.%s]\ndriver = "spool"\nfolder = "/var/lib/phones"\n' "$channel"
done >>/etc/sluis/agency/sluis.toml
cat >>/etc/sluis/agency/sluis.toml <<'END'
[reports]
listen = "127.0.0.1:8450"
[reports.channels.sms-a]
reference = { query = "ref" }
state = { query = "type" }
delivered = ["1"]
failed = ["2"]
END
for host in agency municipality; do
  cat >>"/etc/sluis/$host/sluis.toml" <<'END'
[notifier]
smtp = "127.0.0.4:4650"
user = "sluis"
from = "sluis@party.example"
to = ["officer@party.example"]
END
done
(umask 077 && printf by-hand-password >/etc/sluis/agency/credentials/smtp-password)
(umask 077 && printf 0123456789abcdefghijkl >/etc/sluis/agency/credentials/reports-sms-a)
install -d -m 0700 -o sluis-releaser -g sluis-releaser /var/lib/phones
sed -e 's/{host}/127.0.0.2:8443/' -e 's/^\[data\]$/&\nany-file = "een test"/' -e 's/^\[period\]$/&\nstanding = "een test"\nmore-allowed-by = "een test"/' /usr/share/sluis/demo/mechelen.toml >/srv/mechelen.toml
sed 's/{salt}/0123456789abcdef0123456789abcdef/' /usr/share/sluis/demo/mechelen.contacts.toml >/srv/mechelen.contacts.toml
for host in agency municipality dropzone; do
  contacts=""
  [ "$host" = agency ] && contacts="--contacts /srv/mechelen.contacts.toml"
  # shellcheck disable=SC2086
  sluis --config "/etc/sluis/$host/sluis.toml" agreement add /srv/mechelen.toml \
    --card /srv/cards/agency --card /srv/cards/municipality --card /srv/cards/dropzone $contacts >/dev/null
done
systemd-tmpfiles --create sluis.conf
systemctl daemon-reload
systemctl start provider.socket sluis-reports.socket sluis-reports.service sluis-notifier@agency sluis-agency.target sluis-municipality.target sluis-dropzone.target
