/* Telling systemd how far the daemon is: sd_notify(3)'s protocol, one datagram. */
#ifndef HT_NODE_NOTIFY_H
#define HT_NODE_NOTIFY_H

/* Send e.g. "READY=1" to $NOTIFY_SOCKET; nothing happens when it is not set.
 * Failures are ignored: who started us will wait in vain and say so. */
void notify_send(const char *state);

#endif
