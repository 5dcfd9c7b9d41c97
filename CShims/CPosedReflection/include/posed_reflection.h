/// What a program's protobuf files declare, for server reflection: a pool of descriptors that is asked
/// for files by their names, their symbols and their extensions.
///
/// No exception leaves these functions and nothing in a question or in a set of descriptors can make them
/// abort. A pool never changes once it is made, so any number of threads may ask it at the same time. A reply
/// belongs to whoever asked.
#ifndef POSED_REFLECTION_H
#define POSED_REFLECTION_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define POSED_REFLECTION_API __attribute__((visibility("default")))
#else
#define POSED_REFLECTION_API
#endif

/// What became of a call.
typedef enum posed_reflection_status {
  POSED_REFLECTION_OK = 0,
  POSED_REFLECTION_NOT_FOUND = 1, ///< nothing of that name or number is declared
  POSED_REFLECTION_MALFORMED = 2, ///< the set of descriptors cannot be read or contradicts itself
  POSED_REFLECTION_NO_MEMORY = 3, ///< an allocation failed
  POSED_REFLECTION_FAILED = 4     ///< a library below failed
} posed_reflection_status;

/// Room that always suffices for a message.
#define POSED_REFLECTION_MESSAGE_CAPACITY 512

/// A pool of descriptors.
typedef struct posed_reflection posed_reflection;

/// The answer to a question: a list of byte strings, or of numbers.
typedef struct posed_reflection_reply posed_reflection_reply;

/// The descriptors of protos/, as protoc wrote them: a serialized FileDescriptorSet. They live as long as
/// the program.
POSED_REFLECTION_API const uint8_t *posed_reflection_embedded(size_t *size);

/// Makes a pool of a serialized FileDescriptorSet, in which every file comes after those that it imports.
///
/// On success `*pool` is to be released by `posed_reflection_destroy`; on failure it is NULL and `message`
/// (of `capacity` bytes, may be NULL) holds one sentence.
POSED_REFLECTION_API posed_reflection_status posed_reflection_create(const uint8_t *data, size_t size,
                                                                     posed_reflection **pool, char *message,
                                                                     size_t capacity);

/// Releases a pool; NULL is fine.
POSED_REFLECTION_API void posed_reflection_destroy(posed_reflection *pool);

/// The full names of all services, sorted.
POSED_REFLECTION_API posed_reflection_status posed_reflection_services(const posed_reflection *pool,
                                                                       posed_reflection_reply **reply);

/// A file by its name: itself, then all that it imports, directly or not, each a serialized
/// FileDescriptorProto.
POSED_REFLECTION_API posed_reflection_status posed_reflection_file(const posed_reflection *pool,
                                                                   const char *name, size_t size,
                                                                   posed_reflection_reply **reply);

/// The file that declares a service, method, message, field, oneof, enum, value or extension of that full
/// name, as `posed_reflection_file` gives it.
POSED_REFLECTION_API posed_reflection_status posed_reflection_symbol(const posed_reflection *pool,
                                                                     const char *name, size_t size,
                                                                     posed_reflection_reply **reply);

/// The file that declares extension `number` of the message of that full name.
POSED_REFLECTION_API posed_reflection_status posed_reflection_extension(const posed_reflection *pool,
                                                                        const char *message_name, size_t size,
                                                                        int32_t number,
                                                                        posed_reflection_reply **reply);

/// The numbers of all extensions of the message of that full name, ascending; it may have none.
POSED_REFLECTION_API posed_reflection_status posed_reflection_extension_numbers(
    const posed_reflection *pool, const char *message_name, size_t size, posed_reflection_reply **reply);

/// How many byte strings a reply has.
POSED_REFLECTION_API size_t posed_reflection_reply_count(const posed_reflection_reply *reply);

/// A byte string of a reply, which lives as long as the reply; NULL past the end.
POSED_REFLECTION_API const uint8_t *posed_reflection_reply_bytes(const posed_reflection_reply *reply,
                                                                 size_t index, size_t *size);

/// How many numbers a reply has, and the first of them.
POSED_REFLECTION_API const int32_t *posed_reflection_reply_numbers(const posed_reflection_reply *reply,
                                                                   size_t *count);

/// Releases a reply; NULL is fine.
POSED_REFLECTION_API void posed_reflection_reply_free(posed_reflection_reply *reply);

#ifdef __cplusplus
}
#endif
#endif
