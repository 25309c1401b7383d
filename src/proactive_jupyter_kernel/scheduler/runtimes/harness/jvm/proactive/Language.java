package proactive;

/** A script language that can run several scripts, one after the other, in one Java machine. */
abstract class Language {
    /** A first script is run again, to become faster. */
    boolean rehearses;

    /** Run the script of a stage's folder and write its report; returns the exit code of its process. */
    abstract int run(String folder) throws Throwable;

    /** Make ready for the next script, before it is known. */
    void prepare() throws Throwable {}

    /** Whether the last script changed something in the language itself. */
    boolean isChanged() throws Throwable {
        return false;
    }

    /** How often a first script is worth to be run again before there is another one. */
    int rehearsals() {
        return 0;
    }

    /** The size of the stack of a script's thread in bytes; 0: the default of the Java machine. */
    long stackSize() {
        return 0;
    }
}
