// Package host owns what doctor sees of the machine and of the network: files, volumes, certificates and what answers at
// a URL. It looks and changes nothing. What is wrong with what it sees is left to app/doctor.
//
//	host.go            files and certificate files
//	volume_linux.go    file systems; volume_other.go where they cannot be told
//	fetch.go           one request, with what TLS showed
package host

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"latchkey/ports"
)

// Machine is the machine this process runs on.
type Machine struct {
	Roots *x509.CertPool // nil: those of the system
}

var _ ports.Host = Machine{}

// User returns the effective user id.
func (Machine) User() int { return os.Geteuid() }

// File looks at a path. It never opens it: closing a file drops the locks that this process has on it.
func (Machine) File(path string) ports.File {
	f := ports.File{Path: path, Owner: -1}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f
	case err != nil:
		f.Problem = err.Error()
		return f
	}
	f.Exists, f.Folder, f.Regular, f.Mode, f.Size = true, info.IsDir(), info.Mode().IsRegular(), info.Mode().Perm(), info.Size()
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Owner = int(s.Uid)
	}
	return f
}

// Beside returns the files whose names begin with the name of path, without itself.
func (m Machine) Beside(path string) []ports.File {
	dir, name := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // what is wrong with the folder shows when the folder is looked at
	}
	var all []ports.File
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), name) && e.Name() != name {
			all = append(all, m.File(filepath.Join(dir, e.Name())))
		}
	}
	return all
}

// Certificate reads a chain and its key as a server would.
func (Machine) Certificate(certPath, keyPath string) ports.CertificateFile {
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	if err != nil {
		return ports.CertificateFile{Problem: err.Error()}
	}
	return ports.CertificateFile{Leaf: certificate(pair.Leaf)}
}

func certificate(c *x509.Certificate) ports.Certificate {
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	issuer := c.Issuer.CommonName
	if issuer == "" {
		issuer = c.Issuer.String()
	}
	return ports.Certificate{Names: names, Issuer: issuer, NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC()}
}
