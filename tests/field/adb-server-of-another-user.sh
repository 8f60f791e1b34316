# report: thyrlian/AndroidSDK#43
# situation: The adb server of another user has its port.
# needs: adb ss
# cause: same-program
# holder: adb
# relation: none
# first: other-port
# ci: by hand
holder() { HOME=$W adb -L tcp:5037 nodaemon server & up 5037; }
refused() { adb -L tcp:5037 nodaemon server; }
fixed() { starts 5038 adb -L tcp:5038 nodaemon server; }
