#include "posed_grpc.h"
