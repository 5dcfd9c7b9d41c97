typedef int posed_placeholder;
