# report: microsoft/debugpy#1296
# situation: The reloader of flask starts its child with the arguments of debugpy, too.
# needs: pip:flask pip:debugpy ss
# cause: same-program
# holder: python
# relation: ancestor
# first: none
# never: other-port stop-holder
# ci: by hand
printf '%s\n' 'from flask import Flask' 'app = Flask(__name__)' >app.py
refused() {
    FLASK_APP=app run_until 'in use' python3 -Xfrozen_modules=off -m debugpy --listen 127.0.0.1:5678 -m flask run --debug --port 8533
}
