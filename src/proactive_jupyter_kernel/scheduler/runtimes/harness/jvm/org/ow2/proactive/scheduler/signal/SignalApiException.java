package org.ow2.proactive.scheduler.signal;

/** A signal cannot be sent; scripts catch it under this name. */
public final class SignalApiException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public SignalApiException(String message) {
        super(message);
    }
}
