#ifndef POSED_GRPC_H
#define POSED_GRPC_H
#include <grpc/grpc.h>
#endif
