package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

// spawn measures the time from the start of "superlistd spawn" to its banner: what each
// connection pays when Postfix starts one process for each.
func spawn(ctx context.Context, r *rig) (result, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return result{}, err
	}
	defer l.Close()
	res := result{series: make([]series, 1)}
	for range max(r.some(50), 10) {
		took, err := r.spawned(ctx, l)
		if err != nil {
			return res, err
		}
		res.series[0] = append(res.series[0], took.Seconds()*1e3)
	}
	res.verdict = res.series[0]
	res.note = fmt.Sprintf("p90 %s ms", number(res.series[0].quantile(0.9)))
	return res, nil
}

// spawned starts one and says QUIT to it.
func (r *rig) spawned(ctx context.Context, l net.Listener) (time.Duration, error) {
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	far, err := l.Accept()
	if err != nil {
		return 0, err
	}
	socket, err := far.(*net.TCPConn).File()
	far.Close()
	if err != nil {
		return 0, err
	}
	defer socket.Close()
	cmd := exec.CommandContext(ctx, r.command, "spawn", "--config", r.config("main"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = socket, socket, socket
	cmd.Env = []string{} // spawn(8) gives none to speak of
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	took, err := banner(conn, begin)
	return took, waited(cmd, socket, err)
}

func banner(conn net.Conn, begin time.Time) (time.Duration, error) {
	if err := conn.SetDeadline(begin.Add(startPatience)); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	took := time.Since(begin)
	if err == nil && !strings.HasPrefix(line, "220 ") {
		err = fmt.Errorf("banner %q", line)
	}
	if err == nil {
		_, err = conn.Write([]byte("QUIT\r\n"))
	}
	return took, err
}

// waited ends the process: by its QUIT when all went well.
func waited(cmd *exec.Cmd, socket *os.File, err error) error {
	socket.Close()
	if err != nil {
		_ = cmd.Process.Kill() // its fate is not what failed
		_ = cmd.Wait()
		return err
	}
	return cmd.Wait()
}
