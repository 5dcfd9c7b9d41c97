/* A solver plugin of two methods: the 3/8 rule, and the adaptive pair of Heun and Euler. */
#include "posed_solver.h"

#include <stddef.h>

static const double heun_euler_a[] = {0, 0, 1, 0};
static const double heun_euler_b[] = {0.5, 0.5};
static const double heun_euler_c[] = {0, 1};
static const double heun_euler_error[] = {-0.5, 0.5};

static const posed_solver_tableau heun_euler = {
    .struct_size = sizeof(posed_solver_tableau),
    .abi = POSED_SOLVER_ABI,
    .name = "example-heun-euler",
    .stages = 2,
    .order = 2,
    .a = heun_euler_a,
    .b = heun_euler_b,
    .c = heun_euler_c,
    .b_error = heun_euler_error,
    .next = NULL,
};

static const double rule_a[] = {0, 0, 0, 0, 1.0 / 3, 0, 0, 0, -1.0 / 3, 1, 0, 0, 1, -1, 1, 0};
static const double rule_b[] = {1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8};
static const double rule_c[] = {0, 1.0 / 3, 2.0 / 3, 1};

static const posed_solver_tableau rule = {
    .struct_size = sizeof(posed_solver_tableau),
    .abi = POSED_SOLVER_ABI,
    .name = "example-rk38",
    .stages = 4,
    .order = 4,
    .a = rule_a,
    .b = rule_b,
    .c = rule_c,
    .b_error = NULL,
    .next = &heun_euler,
};

__attribute__((visibility("default"))) const posed_solver_tableau *posed_solver_entry(uint32_t host_abi);

const posed_solver_tableau *posed_solver_entry(uint32_t host_abi) {
  return host_abi == POSED_SOLVER_ABI ? &rule : NULL;
}
