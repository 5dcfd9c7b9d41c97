# Makes posed@.service, of which a machine may have several, of posed.service: each instance has a configuration and folders
# of its own.
s|^Description=.*|& (%i)|
s|/posed/posed\.yaml|/posed/%i.yaml|
s,^\(State\|Cache\|Runtime\)Directory=posed$,&/%i,
s|^# The socket of posed\.socket lies there\..*|# Where listen.unix.path of the instance may lie.|
