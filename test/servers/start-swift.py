"""OpenStack Swift with its s3api, whole and on loopback only: one proxy, one account, container and object server on one device.

    start-swift.py FOLDER S3_PORT

Prints `ready` once S3 answers. It runs until its standard input ends, and takes its servers with it.
"""
import os
import signal
import socket
import sys
import time

from swift.common import utils
from swift.common.ring import RingBuilder
from swift.common.wsgi import run_wsgi

# Of the tempauth below: account:user, and its key.
USER, KEY = 'test_tester', 'testing'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def write(name, text):
    with open(os.path.join(folder, name), 'w') as file:
        file.write(text)


def common(port):
    return f"""
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
user = {os.environ.get('USER') or 'root'}
disable_fallocate = true
log_level = ERROR
"""


def storage(kind, port):
    write(f'{kind}.conf', common(port) + f"""
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
""")
    builder = RingBuilder(4, 1, 0)
    builder.add_dev(dict(id=0, region=1, zone=1, ip='127.0.0.1', port=port, replication_ip='127.0.0.1',
                         replication_port=port, device='d1', weight=1, meta=''))
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, f'{kind}.ring.gz'))


def proxy(port):
    write('proxy.conf', common(port) + f"""
[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_{USER} = {KEY} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
""")


def start(kind):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        run_wsgi(os.path.join(folder, f'{kind}.conf'), f'{kind}-server')
        os._exit(1)
    return pid


def answers(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


folder, s3_port = os.path.abspath(sys.argv[1]), int(sys.argv[2])
os.makedirs(os.path.join(folder, 'devices', 'd1'))
write('swift.conf', """
[swift-hash]
swift_hash_path_prefix = test
swift_hash_path_suffix = test
[storage-policy:0]
name = one
default = yes
""")
ports = {kind: free_port() for kind in ('account', 'container', 'object')}
for kind, port in ports.items():
    storage(kind, port)
proxy(s3_port)
utils.set_swift_dir(folder)

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
children = [start(kind) for kind in (*ports, 'proxy')]
try:
    deadline = time.time() + 60
    while not all(answers(port) for port in (*ports.values(), s3_port)):
        if time.time() > deadline:
            sys.exit('Swift did not start')
        time.sleep(0.1)
    print('ready', flush=True)
    sys.stdin.read()
finally:
    for child in children:
        os.killpg(child, signal.SIGKILL)
