# report: erebe/wstunnel#367
# situation: A tunnel of the kernel has the UDP port: no process has the socket open.
# needs: python3 ip ss
# cause: kernel-socket
# holder: kernel
# relation: none
# first: other-port
# never: stop-holder reuse-address
# ci: yes
holder() { ip link add vx0 type vxlan id 1 local 127.0.0.1 dstport 51820 && ip link set vx0 up && up 51820; }
T='import socket, sys, time; s = socket.socket(2, 2); s.bind(("127.0.0.1", int(sys.argv[1]))); time.sleep(60)'
refused() { python3 -c "$T" 51820; }
fixed() { starts 51821 python3 -c "$T" 51821; }
