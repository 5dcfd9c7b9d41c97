#ifndef POSED_BACKEND_H
#define POSED_BACKEND_H
#endif
