/* The version of posed, posectl, posekit, their packages and the client for Python: the one place where it is
 * written. Scripts read this line, so it keeps its form. */
#ifndef POSED_VERSION_H
#define POSED_VERSION_H

#define POSED_VERSION "0.2.0"

#endif
