# report: eclipse-mosquitto/mosquitto#3181
# situation: The broker runs as a service, and a user starts it by hand to see whether it works.
# needs: mosquitto ss
# cause: same-program
# holder: mosquitto
# relation: none
# first: other-port
# also: same-program
# ci: by hand
holder() { mosquitto & up 1883; }
refused() { mosquitto -v; }
fixed() { starts 1884 mosquitto -v -p 1884; }
