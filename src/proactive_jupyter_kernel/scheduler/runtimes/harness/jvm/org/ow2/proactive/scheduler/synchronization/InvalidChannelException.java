package org.ow2.proactive.scheduler.synchronization;

/** There is no channel of that name; scripts catch it under this name. */
public final class InvalidChannelException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public InvalidChannelException(String message) {
        super(message);
    }
}
