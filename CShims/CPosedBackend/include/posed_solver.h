/*
 * The C ABI of solver plugins.
 *
 * A solver plugin is a shared library that exports one function, posed_solver_entry. It describes
 * explicit Runge-Kutta methods by their coefficients; the host copies them, checks them, and makes
 * each usable by its name. No code of the plugin runs during a solve, and the library is closed
 * again once its tables are copied.
 */
#ifndef POSED_SOLVER_H
#define POSED_SOLVER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. A host refuses a plugin whose version differs. */
#define POSED_SOLVER_ABI 1u

/* The name of the function that a plugin exports. */
#define POSED_SOLVER_ENTRY "posed_solver_entry"

/*
 * One method of `stages` stages. From z at time t, a step of size h evaluates
 *     k[i] = v(z + h * sum_j a[i * stages + j] * k[j], t + c[i] * h)   for i = 0, 1, ...
 * and ends at z + h * sum_i b[i] * k[i].
 */
typedef struct posed_solver_tableau {
  uint32_t struct_size;                    /* sizeof(posed_solver_tableau) where the plugin was compiled */
  uint32_t abi;                            /* POSED_SOLVER_ABI where the plugin was compiled */
  const char *name;                        /* 1 to 64 of a-z 0-9 - _ . and a terminating NUL */
  uint32_t stages;                         /* 1 to 32 */
  uint32_t order;                          /* the order of convergence, at least 1 */
  const double *a;                         /* [stages, stages], row-major; zero on and above the diagonal */
  const double *b;                         /* [stages]; sums to 1 */
  const double *c;                         /* [stages]; c[i] is the sum of row i of a */
  const double *b_error;                   /* [stages], b minus the embedded method's b, sums to 0; or NULL */
  const struct posed_solver_tableau *next; /* another method of this library, or NULL */
} posed_solver_tableau;

/*
 * Returns the library's first method, in memory that stays valid and unchanged until the library is
 * closed; NULL if it has nothing for a host of version host_abi. Must not block, print or exit.
 */
typedef const posed_solver_tableau *(*posed_solver_entry_fn)(uint32_t host_abi);

#ifdef __cplusplus
}
#endif

#endif
