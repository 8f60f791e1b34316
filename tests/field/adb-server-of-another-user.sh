# report: thyrlian/AndroidSDK#43
# situation: An adb server runs already, and another one is started.
# needs: adb ss
# cause: same-program
# holder: adb
# relation: earlier-run
# first: other-port
# ci: by hand
holder() { HOME=$W adb -L tcp:5037 nodaemon server & up 5037; }
refused() { adb -L tcp:5037 nodaemon server; }
fixed() { starts 5038 adb -L tcp:5038 nodaemon server; }
