#include "internal.h"

posed_grpc_options posed_grpc_options_default(void) {
  posed_grpc_options options = {
      .max_receive_bytes = POSED_GRPC_DEFAULT,
      .max_send_bytes = POSED_GRPC_DEFAULT,
      .max_metadata_bytes = POSED_GRPC_DEFAULT,
      .max_concurrent_streams = POSED_GRPC_DEFAULT,
      .window_bytes = POSED_GRPC_DEFAULT,
      .max_frame_bytes = POSED_GRPC_DEFAULT,
      .keepalive_time = POSED_GRPC_DEFAULT,
      .keepalive_timeout = POSED_GRPC_DEFAULT,
      .keepalive_without_calls = POSED_GRPC_DEFAULT,
      .least_ping_interval = POSED_GRPC_DEFAULT,
      .max_ping_strikes = POSED_GRPC_DEFAULT,
      .max_pings_without_data = POSED_GRPC_DEFAULT,
      .handshake_timeout = POSED_GRPC_DEFAULT,
      .least_reconnect_delay = POSED_GRPC_DEFAULT,
      .most_reconnect_delay = POSED_GRPC_DEFAULT,
      .accepts_gzip = POSED_GRPC_DEFAULT,
  };
  return options;
}

static void add_integer(grpc_channel_args *arguments, const char *key, int32_t value) {
  if (value == POSED_GRPC_DEFAULT) return;
  grpc_arg *argument = &arguments->args[arguments->num_args++];
  argument->type = GRPC_ARG_INTEGER;
  argument->key = (char *)key;
  argument->value.integer = value;
}

static void add_string(grpc_channel_args *arguments, const char *key, const char *value) {
  if (!value) return;
  grpc_arg *argument = &arguments->args[arguments->num_args++];
  argument->type = GRPC_ARG_STRING;
  argument->key = (char *)key;
  argument->value.string = (char *)value;
}

grpc_channel_args posed_grpc_arguments(const posed_grpc_options *options, grpc_arg *storage) {
  grpc_channel_args list = {0, storage};
  add_integer(&list, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, options->max_receive_bytes);
  add_integer(&list, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, options->max_send_bytes);
  add_integer(&list, GRPC_ARG_MAX_METADATA_SIZE, options->max_metadata_bytes);
  add_integer(&list, GRPC_ARG_MAX_CONCURRENT_STREAMS, options->max_concurrent_streams);
  add_integer(&list, GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, options->window_bytes);
  add_integer(&list, GRPC_ARG_HTTP2_MAX_FRAME_SIZE, options->max_frame_bytes);
  add_integer(&list, GRPC_ARG_KEEPALIVE_TIME_MS, options->keepalive_time);
  add_integer(&list, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options->keepalive_timeout);
  add_integer(&list, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, options->keepalive_without_calls);
  add_integer(&list, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, options->least_ping_interval);
  add_integer(&list, GRPC_ARG_HTTP2_MAX_PING_STRIKES, options->max_ping_strikes);
  add_integer(&list, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, options->max_pings_without_data);
  add_integer(&list, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, options->handshake_timeout);
  add_integer(&list, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, options->least_reconnect_delay);
  // In spite of its name this is the time that an attempt to connect may take.
  add_integer(&list, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, options->handshake_timeout);
  add_integer(&list, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, options->most_reconnect_delay);
  add_string(&list, GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, options->target_name);
  add_string(&list, GRPC_ARG_DEFAULT_AUTHORITY, options->authority);
  add_string(&list, GRPC_ARG_PRIMARY_USER_AGENT_STRING, options->user_agent);
  // Pictures do not shrink, so nothing is sent compressed. What comes compressed is not inflated by the
  // library, which would make a message of any size of a few bytes: that is left to whoever knows how much it
  // may take.
  add_integer(&list, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
              1 << GRPC_COMPRESS_NONE | (options->accepts_gzip == 1 ? 1 << GRPC_COMPRESS_GZIP : 0));
  add_integer(&list, GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  add_integer(&list, GRPC_ARG_ENABLE_CHANNELZ, 0);
  add_integer(&list, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  add_integer(&list, GRPC_ARG_ENABLE_RETRIES, 0);
  add_integer(&list, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  add_integer(&list, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return list;
}
