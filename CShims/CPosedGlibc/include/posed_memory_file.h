#pragma once

/// Makes an empty file in memory that has no place in any folder (`memfd_create(2)`); the name is for people
/// alone. Returns its descriptor, or -1 with `errno`.
int posed_memory_file(const char *name);

/// Lets nobody write, cut, lengthen or unseal the file from now on. Returns 0, or -1 with `errno`.
int posed_memory_file_seal(int descriptor);

/// Whether the descriptor is of a file in memory with all of these seals.
_Bool posed_memory_file_is_sealed(int descriptor);
